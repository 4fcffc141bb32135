fun run() {
    try {
        work()
    // ruleid: kotlin-swallowed-exception
    } catch (e: Exception) {
    }
    try {
        work()
    // ruleid: kotlin-swallowed-exception
    } catch (problem: Throwable) { }
    try {
        work()
    // ok: kotlin-swallowed-exception
    } catch (ignored: Exception) {
    }
    try {
        work()
    // ok: kotlin-swallowed-exception
    } catch (e: NumberFormatException) {
    }
    try {
        work()
    // ok: kotlin-swallowed-exception
    } catch (e: Exception) {
        // The cache is only a convenience.
    }
}
