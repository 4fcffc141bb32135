package sample

func read(text string, key []byte) {
	// ruleid: go-jwt-unverified
	token, _, err := jwt.NewParser().ParseUnverified(text, claims)
	// ruleid: go-jwt-unverified
	signed, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	// ok: go-jwt-unverified
	token, err := jwt.Parse(text, keyFunc, jwt.WithValidMethods([]string{"RS256"}))
	// ok: go-jwt-unverified
	claims, err := parser.Parse(text)
}
