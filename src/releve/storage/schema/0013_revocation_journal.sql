-- What was ended, in a table that only grows: from it each machine writes the journal beside its keys, and a database
-- that was restored is brought up to it. The rows are written in the transaction that ends something, whoever does it.

CREATE TABLE revocation (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       uuid        NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- a restored database gives the same ids again
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    principal text        NOT NULL, -- as in the revocation feed, and 'certificate:<fingerprint>', 'factor:<id>'
    born      timestamptz,          -- when the row that it is about was made: numbers are given again, too
    until     timestamptz,          -- from when on it is over by itself; null: it never is
    xid       xid8        NOT NULL DEFAULT pg_current_xact_id() -- ids are not in the order of commits
);

CREATE INDEX revocation_xid ON revocation (xid);

-- One row: which history this database belongs to, where it lives, and when its journal was last written.
CREATE TABLE revocation_lineage (
    is_one boolean     PRIMARY KEY DEFAULT true CHECK (is_one),
    id     uuid        NOT NULL DEFAULT gen_random_uuid(),
    seal   bytea       NOT NULL, -- what the journal says of passwords is encrypted under it
    home   text        NOT NULL DEFAULT '', -- another after a dump was restored; '' before the first journal
    seen   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO revocation_lineage (seal) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE FUNCTION releve_journal_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born) VALUES ('account:' || OLD.id, OLD.date_joined);
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_account_changed AFTER UPDATE ON accounts_account
FOR EACH ROW WHEN (
    (OLD.is_active, OLD.password, OLD.is_staff, OLD.is_superuser)
    IS DISTINCT FROM (NEW.is_active, NEW.password, NEW.is_staff, NEW.is_superuser)
) EXECUTE FUNCTION releve_journal_account();
CREATE TRIGGER releve_journal_account_deleted AFTER DELETE ON accounts_account
FOR EACH ROW EXECUTE FUNCTION releve_journal_account();

CREATE FUNCTION releve_journal_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born)
    SELECT 'account:' || id, date_joined FROM accounts_account WHERE id = OLD.account_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_membership AFTER UPDATE OR DELETE ON teams_membership
FOR EACH ROW EXECUTE FUNCTION releve_journal_membership();

CREATE FUNCTION releve_journal_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born) VALUES ('device:' || OLD.id, OLD.created_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_device_changed AFTER UPDATE ON fleet_device
FOR EACH ROW WHEN ((OLD.is_enabled, OLD.secret_hash) IS DISTINCT FROM (NEW.is_enabled, NEW.secret_hash))
EXECUTE FUNCTION releve_journal_device();
CREATE TRIGGER releve_journal_device_deleted AFTER DELETE ON fleet_device
FOR EACH ROW EXECUTE FUNCTION releve_journal_device();

-- A sign-in that had ended by itself is pruned without a word.
CREATE FUNCTION releve_journal_signin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born, until) VALUES ('signin:' || OLD.id, OLD.started_at, OLD.expires_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_signin_revoked AFTER UPDATE OF revoked_at ON accounts_signin
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION releve_journal_signin();
CREATE TRIGGER releve_journal_signin_deleted AFTER DELETE ON accounts_signin
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now()) EXECUTE FUNCTION releve_journal_signin();

CREATE FUNCTION releve_journal_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born) VALUES ('certificate:' || OLD.fingerprint, OLD.added);
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_certificate AFTER UPDATE OR DELETE ON device_certificate
FOR EACH ROW EXECUTE FUNCTION releve_journal_certificate();

CREATE FUNCTION releve_journal_factor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocation (principal, born) VALUES ('factor:' || OLD.id, OLD.created_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER releve_journal_factor AFTER DELETE ON mfa_authenticator
FOR EACH ROW EXECUTE FUNCTION releve_journal_factor();
