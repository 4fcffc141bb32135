CREATE TABLE invoice (
  id bigint PRIMARY KEY,
  -- ruleid: sql-float-money
  amount double precision NOT NULL,
  -- ruleid: sql-float-money
  net_price FLOAT,
  -- ok: sql-float-money
  discount numeric(12, 2),
  -- ok: sql-float-money
  rate real,
  -- ok: sql-float-money
  feel real
);
