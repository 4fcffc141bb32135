package store

import "context"

// Get returns the value of id, or an error once ctx is done.
func (s *Store) Get(ctx context.Context, id string) (string, error) {
	return s.client.Fetch(ctx, id)
}
