fun start(scope: CoroutineScope) {
    // ruleid: kotlin-global-scope
    GlobalScope.launch { fetch(1) }
    // ruleid: kotlin-global-scope
    val result = GlobalScope.async(Dispatchers.IO) { fetch(2) }
    // ok: kotlin-global-scope
    scope.launch { fetch(3) }
    // ok: kotlin-global-scope
    val same = scope == GlobalScope
}
