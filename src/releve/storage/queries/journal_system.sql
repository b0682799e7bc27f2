-- Where this database lives: the cluster's number.
SELECT system_identifier::text FROM pg_control_system()
