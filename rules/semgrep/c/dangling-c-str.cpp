#include <string>

void run(std::ostringstream &stream, const std::string &name, int n) {
    // ruleid: c-dangling-c-str
    const char *text = stream.str().c_str();
    // ruleid: c-dangling-c-str
    const char *number = std::to_string(n).c_str();
    // ok: c-dangling-c-str
    const char *kept = name.c_str();
    // ok: c-dangling-c-str
    puts(stream.str().c_str());
}
