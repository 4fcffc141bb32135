package sample

import (
	"context"
	"database/sql"
	"fmt"
)

func find(ctx context.Context, db *sql.DB, name string, id int, table string) {
	// ruleid: go-sql-injection
	db.Query(fmt.Sprintf("SELECT * FROM person WHERE name = '%s'", name))
	// ruleid: go-sql-injection
	db.Exec("DELETE FROM person WHERE name = '" + name + "'")
	query := fmt.Sprintf("SELECT * FROM person WHERE name = '%s'", name)
	// ruleid: go-sql-injection
	db.QueryRow(query)
	// ruleid: go-sql-injection
	db.QueryContext(ctx, fmt.Sprintf(`SELECT id FROM person WHERE name LIKE '%%%s%%'`, name))
	// ok: go-sql-injection
	db.Query("SELECT * FROM person WHERE name = $1", name)
	// ok: go-sql-injection
	db.Query(fmt.Sprintf("SELECT * FROM %s WHERE name = $1", table), name)
	// ok: go-sql-injection
	db.Query(fmt.Sprintf("SELECT * FROM person WHERE id = %d", id))
	// ok: go-sql-injection
	values.Get(fmt.Sprintf("select:%s", name))
}
