#!/bin/sh
# Run once by the database's image: the application gets a role that owns its database and is no superuser, the outside
# door one that may only connect (migrations grant it two verbs: storage/outside.py).
set -eu
psql -v ON_ERROR_STOP=1 -v password="$YIWANG_DATABASE_PASSWORD" -v outside="$OUTSIDE_DATABASE_PASSWORD" --username postgres <<'SQL'
CREATE ROLE yiwang LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE ROLE yiwang_outside LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 40 PASSWORD :'outside';
CREATE DATABASE yiwang OWNER yiwang;
\connect yiwang
CREATE EXTENSION IF NOT EXISTS postgis;
REVOKE ALL ON DATABASE yiwang FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO yiwang;
GRANT CONNECT ON DATABASE yiwang TO yiwang_outside;
SQL
