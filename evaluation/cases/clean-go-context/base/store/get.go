package store

import "context"

func (s *Store) Get(id string) (string, error) {
	return s.client.Fetch(context.Background(), id)
}
