#include <stdexcept>

void run(int code) {
    if (code == 1) {
        // ruleid: c-throw-of-pointer
        throw new std::runtime_error("broken");
    }
    if (code == 2) {
        // ruleid: c-throw-of-pointer
        throw new Failure(code);
    }
    if (code == 3) {
        // ok: c-throw-of-pointer
        throw std::runtime_error("broken");
    }
    // ok: c-throw-of-pointer
    throw;
}
