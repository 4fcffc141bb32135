-- ruleid: sql-null-comparison
SELECT * FROM account WHERE closed = NULL;
SELECT id FROM account
-- ruleid: sql-null-comparison
WHERE active AND mail <> NULL;
-- ok: sql-null-comparison
SELECT * FROM account WHERE closed IS NULL;
-- ok: sql-null-comparison
UPDATE account SET closed = NULL WHERE id = 1;
-- ok: sql-null-comparison
INSERT INTO note VALUES ('where x = null');
