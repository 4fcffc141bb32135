CREATE TABLE inbox (id bigint PRIMARY KEY, owner bigint NOT NULL, seen boolean NOT NULL);
