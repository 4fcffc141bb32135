fun show(values: List<Int>, text: String) {
    for (i in 0..values.size) {
        // ruleid: kotlin-index-past-end
        println(values[i])
    }
    for (i in 0..text.length) {
        // ruleid: kotlin-index-past-end
        println(text[i])
    }
    for (i in 0 until values.size) {
        // ok: kotlin-index-past-end
        println(values[i])
    }
    for (i in 1..values.size) {
        // ok: kotlin-index-past-end
        println(values[i - 1])
    }
}
