package sample

import (
	"context"
	"time"
)

func call(ctx context.Context) {
	// ruleid: go-lost-cancel
	limited, _ := context.WithTimeout(ctx, time.Second)
	fetch(limited)
	// ruleid: go-lost-cancel
	ctx, _ = context.WithCancel(ctx)
	// ok: go-lost-cancel
	other, cancel := context.WithCancel(ctx)
	defer cancel()
	// ok: go-lost-cancel
	value := context.WithValue(other, key, 1)
	fetch(value)
}
