#include <stdexcept>

void run() {
    try {
        work();
    // ruleid: c-catch-by-value
    } catch (std::exception e) {
        log(e.what());
    }
    try {
        work();
    // ruleid: c-catch-by-value
    } catch (const std::runtime_error problem) {
        log(problem.what());
    }
    try {
        work();
    // ok: c-catch-by-value
    } catch (const std::exception &e) {
        log(e.what());
    }
    try {
        work();
    // ok: c-catch-by-value
    } catch (int code) {
        log(code);
    }
}
