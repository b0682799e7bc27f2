-- A device may be called like an e-mail, and both are typed into the same field: one name, one principal.
-- Two transactions that take the same name at once are put in a row by the advisory lock.

CREATE FUNCTION releve_one_sign_in_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken boolean;
    wanted text := lower(CASE TG_TABLE_NAME WHEN 'fleet_device' THEN to_jsonb(NEW) ->> 'name' ELSE to_jsonb(NEW) ->> 'email' END);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('releve_one_sign_in_name ' || wanted, 0));
    IF TG_TABLE_NAME = 'fleet_device' THEN
        SELECT EXISTS (SELECT FROM accounts_account WHERE lower(email) = wanted) INTO taken;
    ELSE
        SELECT EXISTS (SELECT FROM fleet_device WHERE lower(name) = wanted) INTO taken;
    END IF;
    IF taken THEN
        RAISE unique_violation USING
            MESSAGE = 'a device and an account cannot share a name to sign in with',
            CONSTRAINT = 'releve_one_sign_in_name';
    END IF;
    RETURN NEW;
END
$$;

CREATE INDEX fleet_device_name_lower ON fleet_device (lower(name));

CREATE TRIGGER releve_one_sign_in_name BEFORE INSERT OR UPDATE OF name ON fleet_device
FOR EACH ROW EXECUTE FUNCTION releve_one_sign_in_name();

CREATE TRIGGER releve_one_sign_in_name BEFORE INSERT OR UPDATE OF email ON accounts_account
FOR EACH ROW EXECUTE FUNCTION releve_one_sign_in_name();
