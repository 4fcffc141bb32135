suspend fun retry(times: Int) {
    // ruleid: kotlin-sleep-in-suspend
    Thread.sleep(1000)
    fetch(times)
}

fun start(scope: CoroutineScope) {
    scope.launch {
        // ruleid: kotlin-sleep-in-suspend
        Thread.sleep(50)
    }
    // ok: kotlin-sleep-in-suspend
    Thread.sleep(10)
}

suspend fun fine() {
    // ok: kotlin-sleep-in-suspend
    delay(1000)
}
