-- ruleid: sql-not-null-without-default
ALTER TABLE account ADD COLUMN country text NOT NULL;
-- ruleid: sql-not-null-without-default
alter table account add country varchar(2) not null;
-- ok: sql-not-null-without-default
ALTER TABLE account ADD COLUMN country text NOT NULL DEFAULT 'AT';
-- ok: sql-not-null-without-default
ALTER TABLE account ADD COLUMN country text;
-- ok: sql-not-null-without-default
ALTER TABLE account ADD COLUMN number bigserial NOT NULL;
-- ok: sql-not-null-without-default
ALTER TABLE account ADD CONSTRAINT named CHECK (name IS NOT NULL);
