package sample

func count(words []string) map[string]int {
	var counts map[string]int
	for _, word := range words {
		// ruleid: go-nil-map-write
		counts[word] = 1
	}
	return counts
}

func direct() int {
	var cache map[int]bool
	// ruleid: go-nil-map-write
	cache[1] = true
	return len(cache)
}

func fine(words []string) map[string]int {
	var counts map[string]int
	counts = make(map[string]int)
	// ok: go-nil-map-write
	counts["a"] = 1
	return counts
}

func decoded(data []byte) map[string]int {
	var counts map[string]int
	json.Unmarshal(data, &counts)
	// ok: go-nil-map-write
	counts["a"] = 1
	return counts
}
