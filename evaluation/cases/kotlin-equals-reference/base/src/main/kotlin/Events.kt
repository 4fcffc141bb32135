data class Event(val id: String, val body: String)
