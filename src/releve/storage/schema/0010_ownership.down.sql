DROP TRIGGER releve_run_owned ON runs_run;
DROP TRIGGER releve_device_moved ON fleet_device;
DROP TRIGGER releve_device_owned ON fleet_device;
DROP FUNCTION releve_run_owned(), releve_device_owned(), releve_owned(integer, bigint[]);
DROP TABLE device_ownership;
