CREATE INDEX CONCURRENTLY inbox_owner ON inbox (owner) WHERE NOT seen;
