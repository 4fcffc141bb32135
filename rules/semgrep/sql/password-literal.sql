-- ruleid: sql-password-literal
CREATE ROLE app LOGIN PASSWORD 'opensesame';
-- ruleid: sql-password-literal
CREATE USER 'app'@'%' IDENTIFIED BY 'opensesame';
-- ruleid: sql-password-literal
ALTER LOGIN app WITH PASSWORD = 'opensesame';
-- ok: sql-password-literal
CREATE ROLE app LOGIN PASSWORD :'app_password';
-- ok: sql-password-literal
CREATE USER app WITH PASSWORD '${APP_PASSWORD}';
-- ok: sql-password-literal
ALTER ROLE app SET search_path TO shop;
-- ok: sql-password-literal
CREATE ROLE app NOLOGIN PASSWORD NULL;
