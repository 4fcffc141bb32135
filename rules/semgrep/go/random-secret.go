package sample

import (
	"fmt"
	"math/rand"
)

func reset() string {
	// ruleid: go-random-secret
	token := fmt.Sprintf("%x", rand.Int63())
	return token
}

func generatePassword(n int) string {
	letters := "abcdef"
	out := make([]byte, n)
	for i := range out {
		// ruleid: go-random-secret
		out[i] = letters[rand.Intn(len(letters))]
	}
	return string(out)
}

func fine() int {
	// ok: go-random-secret
	delay := rand.Intn(100)
	// ok: go-random-secret
	tokenizer := names[rand.Intn(3)]
	return delay
}
