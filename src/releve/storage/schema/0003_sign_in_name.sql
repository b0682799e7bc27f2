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

-- The device that a person's own readings go to, made at the first need. Both planes call this and nothing else.
-- It has no secret: only its owner's tokens write to it.
CREATE FUNCTION releve_own_device(account bigint, own_team bigint, own_contract text, zone text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    found_id integer;
BEGIN
    INSERT INTO fleet_device (team_id, name, contract, timezone, owner_id, secret_hash, is_enabled, created_at)
    VALUES (own_team, 'own-' || account || '-' || left(gen_random_uuid()::text, 8), own_contract, zone, account, '', true, now())
    ON CONFLICT (owner_id, team_id) DO NOTHING
    RETURNING id INTO found_id;
    IF found_id IS NULL THEN
        SELECT id INTO found_id FROM fleet_device WHERE owner_id = account AND team_id = own_team;
    END IF;
    RETURN found_id;
END
$$;
