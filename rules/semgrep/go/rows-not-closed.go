package sample

import "database/sql"

func names(db *sql.DB) ([]string, error) {
	// ruleid: go-rows-not-closed
	rows, err := db.Query("SELECT name FROM person")
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

func count(ctx context.Context, db *sql.DB) int {
	n := 0
	// ruleid: go-rows-not-closed
	rows, err := db.QueryContext(ctx, "SELECT 1", n)
	for err == nil && n < 3 {
		n++
	}
	for rows.Next() {
		n++
	}
	return n
}

func fine(db *sql.DB) error {
	// ok: go-rows-not-closed
	rows, err := db.Query("SELECT name FROM person")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

func handed(db *sql.DB) (*sql.Rows, error) {
	// ok: go-rows-not-closed
	rows, err := db.Query("SELECT name FROM person")
	return rows, err
}
