package sample

import (
	"crypto/md5"
	"crypto/sha256"
)

func store(password string, user User, data []byte) {
	// ruleid: go-weak-password-hash
	sum := md5.Sum([]byte(password))
	// ruleid: go-weak-password-hash
	other := sha256.Sum256([]byte(user.Password))
	// ok: go-weak-password-hash
	file := sha256.Sum256(data)
	// ok: go-weak-password-hash
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 12)
}
