DROP SCHEMA telemetry CASCADE;
DROP TABLE sql_reader;
