-- A shared link that ends says so to the workers, whose streams by it end, and to the journal of revocations.

CREATE FUNCTION releve_share_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked_at IS NULL THEN
        INSERT INTO revocation (principal, born, until) VALUES ('share:' || OLD.id, OLD.created_at, OLD.expires_at);
    END IF;
    PERFORM pg_notify('releve_revocation', 'share:' || OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_share_revoked AFTER UPDATE OF revoked_at, expires_at ON shares_share
FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at OR NEW.expires_at < OLD.expires_at)
EXECUTE FUNCTION releve_share_changed();

CREATE TRIGGER releve_share_deleted AFTER DELETE ON shares_share
FOR EACH ROW EXECUTE FUNCTION releve_share_changed();
