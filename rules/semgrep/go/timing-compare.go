package sample

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

func verify(body, key, given []byte, header string) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	sum := hex.EncodeToString(mac.Sum(nil))
	// ruleid: go-timing-compare
	if sum == header {
		return true
	}
	// ruleid: go-timing-compare
	if bytes.Equal(mac.Sum(nil), given) {
		return true
	}
	// ok: go-timing-compare
	return hmac.Equal(mac.Sum(nil), given)
}

func same(left, right []byte) bool {
	hash := sha256.New()
	hash.Write(left)
	// ok: go-timing-compare
	return bytes.Equal(hash.Sum(nil), right)
}
