data class Event(val id: String, val body: String)

class Deduplicator {
    private var last: Event? = null

    fun isNew(event: Event): Boolean {
        val new = event !== last
        last = event
        return new
    }
}
