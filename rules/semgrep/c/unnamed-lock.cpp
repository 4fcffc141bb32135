#include <mutex>

void run(std::mutex &mutex, Shared *shared) {
    // ruleid: c-unnamed-lock
    std::lock_guard<std::mutex>{mutex};
    // ruleid: c-unnamed-lock
    std::unique_lock<std::mutex>(shared->mutex);
    // ok: c-unnamed-lock
    std::lock_guard<std::mutex> lock(mutex);
    // ok: c-unnamed-lock
    auto other = std::unique_lock<std::mutex>(mutex);
}
