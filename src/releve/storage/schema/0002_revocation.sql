-- Whatever ends a credential says so at its commit, whoever did it: a service, the admin site, a person with psql.
-- Workers LISTEN on releve_revocation; a payload is 'account:<id>', 'device:<id>' or 'signin:<uuid>'.

CREATE FUNCTION releve_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('releve_revocation', 'account:' || OLD.id);
        RETURN NULL;
    END IF;
    IF NEW.password IS DISTINCT FROM OLD.password OR NOT NEW.is_active THEN
        UPDATE accounts_signin
        SET revoked_at = now(),
            revoked_reason = CASE WHEN NEW.is_active THEN 'password changed' ELSE 'account disabled' END
        WHERE account_id = NEW.id AND revoked_at IS NULL;
    END IF;
    PERFORM pg_notify('releve_revocation', 'account:' || NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_account_changed
AFTER UPDATE OF is_active, password, is_staff, is_superuser ON accounts_account
FOR EACH ROW WHEN (
    (OLD.is_active, OLD.password, OLD.is_staff, OLD.is_superuser)
    IS DISTINCT FROM (NEW.is_active, NEW.password, NEW.is_staff, NEW.is_superuser)
) EXECUTE FUNCTION releve_account_changed();

CREATE TRIGGER releve_account_deleted AFTER DELETE ON accounts_account
FOR EACH ROW EXECUTE FUNCTION releve_account_changed();

CREATE FUNCTION releve_device_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('releve_revocation', 'device:' || OLD.id);
        RETURN NULL;
    END IF;
    IF NEW.secret_hash IS DISTINCT FROM OLD.secret_hash OR NOT NEW.is_enabled THEN
        UPDATE accounts_signin
        SET revoked_at = now(),
            revoked_reason = CASE WHEN NEW.is_enabled THEN 'secret replaced' ELSE 'device disabled' END
        WHERE device_id = NEW.id AND revoked_at IS NULL;
    END IF;
    PERFORM pg_notify('releve_revocation', 'device:' || NEW.id);
    RETURN NULL;
END
$$;

-- Any change of a device is announced: workers keep its name, team, contract and zone beside its token.
CREATE TRIGGER releve_device_changed AFTER UPDATE ON fleet_device
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION releve_device_changed();

CREATE TRIGGER releve_device_deleted AFTER DELETE ON fleet_device
FOR EACH ROW EXECUTE FUNCTION releve_device_changed();

CREATE FUNCTION releve_signin_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('releve_revocation', 'signin:' || OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_signin_revoked AFTER UPDATE OF revoked_at ON accounts_signin
FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION releve_signin_ended();

CREATE TRIGGER releve_signin_deleted AFTER DELETE ON accounts_signin
FOR EACH ROW EXECUTE FUNCTION releve_signin_ended();

CREATE FUNCTION releve_membership_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('releve_revocation', 'account:' || OLD.account_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('releve_revocation', 'account:' || NEW.account_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_membership_changed AFTER INSERT OR UPDATE OR DELETE ON teams_membership
FOR EACH ROW EXECUTE FUNCTION releve_membership_changed();

-- Workers remember which machines they registered; they look again when an asset or a mount is removed.
CREATE FUNCTION releve_asset_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('releve_revocation', 'asset:removed');
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_mount_removed AFTER DELETE ON fleet_mount
FOR EACH STATEMENT EXECUTE FUNCTION releve_asset_removed();
