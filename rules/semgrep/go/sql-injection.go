package sample

import (
	"database/sql"
	"fmt"
)

func find(db *sql.DB, name string) {
	// ruleid: go-sql-injection
	db.Query(fmt.Sprintf("SELECT * FROM person WHERE name = '%s'", name))
	// ruleid: go-sql-injection
	db.Exec("DELETE FROM person WHERE name = '" + name + "'")
	query := fmt.Sprintf("SELECT * FROM person WHERE name = '%s'", name)
	// ruleid: go-sql-injection
	db.QueryRow(query)
	// ok: go-sql-injection
	db.Query("SELECT * FROM person WHERE name = $1", name)
}
