#include <vector>

void clean(std::vector<int> &values, std::map<int, int> &counts) {
    for (auto it = values.begin(); it != values.end(); ++it) {
        if (*it < 0) {
            // ruleid: c-erase-in-loop
            values.erase(it);
        }
    }
    for (auto it = counts.begin(); it != counts.end(); it++) {
        // ruleid: c-erase-in-loop
        counts.erase(it);
    }
    for (auto it = values.begin(); it != values.end();) {
        // ok: c-erase-in-loop
        it = values.erase(it);
    }
    for (auto it = values.begin(); it != values.end(); ++it) {
        if (*it == 3) {
            // ok: c-erase-in-loop
            values.erase(it);
            break;
        }
    }
}
