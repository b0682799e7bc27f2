DROP TRIGGER releve_one_sign_in_name ON accounts_account;
DROP TRIGGER releve_one_sign_in_name ON fleet_device;
DROP INDEX fleet_device_name_lower;
DROP FUNCTION releve_one_sign_in_name();
