suspend fun load(id: Int) {
    // ruleid: kotlin-run-blocking-in-suspend
    runBlocking { fetch(id) }
}

suspend fun value(id: Int): String {
    // ruleid: kotlin-run-blocking-in-suspend
    val text = runBlocking { fetch(id) }
    return text
}

fun main() {
    // ok: kotlin-run-blocking-in-suspend
    runBlocking { fetch(1) }
}

suspend fun fine(id: Int) {
    // ok: kotlin-run-blocking-in-suspend
    withContext(Dispatchers.IO) { fetch(id) }
}
