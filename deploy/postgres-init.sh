#!/bin/sh
# Run once by the database's image: the application gets a role that owns its database and is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$YIWANG_DATABASE_PASSWORD" --username postgres <<'SQL'
CREATE ROLE yiwang LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE yiwang OWNER yiwang;
\connect yiwang
CREATE EXTENSION IF NOT EXISTS postgis;
REVOKE ALL ON DATABASE yiwang FROM PUBLIC;
SQL
