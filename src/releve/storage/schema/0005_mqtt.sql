-- What MQTT links leave in the database: who is there, what is on its way to a device, and what was last heard.
-- No foreign keys: rows outlive what they are about without harm, and the test suite truncates tables one by one.

CREATE TABLE mqtt_worker (
    id   uuid        PRIMARY KEY,
    seen timestamptz NOT NULL -- a worker that is not seen for long has lost its links
);

-- One row per client id; a client id belongs to the principal that uses it.
CREATE TABLE device_link (
    client_id   text        PRIMARY KEY,
    principal   text        NOT NULL, -- 'device:<id>' or 'account:<id>'
    device_id   integer,
    link        uuid        NOT NULL,
    worker      uuid        NOT NULL,
    since       timestamptz NOT NULL,
    ended       timestamptz,          -- null while the link stands
    address     text        NOT NULL,
    state       jsonb,                -- the MQTT session, where it outlives the link
    state_until timestamptz
);
CREATE INDEX device_link_device ON device_link (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX device_link_worker ON device_link (worker) WHERE ended IS NULL;

CREATE TABLE device_certificate (
    fingerprint text        PRIMARY KEY, -- SHA-256 of the certificate, 64 hexadecimal digits
    device_id   integer     NOT NULL,
    added       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX device_certificate_device ON device_certificate (device_id);

CREATE TABLE device_command (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id  integer     NOT NULL,
    body       jsonb       NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    created_by text        NOT NULL,
    expires    timestamptz NOT NULL,
    delivered  timestamptz, -- when the device acknowledged it
    answer     text,
    answered   timestamptz
);
CREATE INDEX device_command_waiting ON device_command (device_id, id) WHERE delivered IS NULL;
CREATE INDEX device_command_device ON device_command (device_id, id);

CREATE TABLE device_config (
    device_id  integer     PRIMARY KEY,
    body       jsonb       NOT NULL,
    changed    timestamptz NOT NULL,
    changed_by text        NOT NULL
);

-- The last text of each of a car's topics (contract B).
CREATE TABLE topic_value (
    device_id integer     NOT NULL,
    topic     text        NOT NULL,
    payload   text        NOT NULL,
    received  timestamptz NOT NULL,
    PRIMARY KEY (device_id, topic)
) WITH (fillfactor = 50);

-- Take a client id for a new link. No row: it is another principal's. The link that had it is told, so that it goes, or forgets its will.
CREATE FUNCTION releve_claim_client_id(
    wanted text, claimant text, device integer, new_link uuid, new_worker uuid, from_address text, is_clean boolean
) RETURNS TABLE (old_link uuid, old_state jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    held device_link%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('releve_claim_client_id ' || wanted, 0));
    SELECT * INTO held FROM device_link WHERE client_id = wanted FOR UPDATE;
    IF FOUND AND held.principal <> claimant AND (
        held.state_until > now()
        OR held.ended IS NULL
        AND EXISTS (SELECT FROM mqtt_worker WHERE id = held.worker AND seen > now() - interval '20 seconds')
    ) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM fleet_device WHERE name = wanted AND 'device:' || id <> claimant) THEN
        RETURN;
    END IF;
    IF held.principal = claimant THEN
        old_link := held.link;
        PERFORM pg_notify('releve_revocation', 'link:' || held.link);
    END IF;
    IF held.principal = claimant AND held.state_until > now() AND NOT is_clean THEN
        old_state := held.state;
    END IF;
    INSERT INTO device_link (client_id, principal, device_id, link, worker, since, ended, address, state, state_until)
    VALUES (wanted, claimant, device, new_link, new_worker, now(), NULL, from_address, old_state,
            CASE WHEN old_state IS NULL THEN NULL ELSE held.state_until END)
    ON CONFLICT (client_id) DO UPDATE SET
        principal = excluded.principal, device_id = excluded.device_id, link = excluded.link, worker = excluded.worker,
        since = excluded.since, ended = NULL, address = excluded.address, state = excluded.state,
        state_until = excluded.state_until;
    -- Of the client ids that a device no longer uses only the newest is kept, so that random ones fill nothing.
    DELETE FROM device_link AS stale
    WHERE stale.device_id = device AND stale.ended < now() - interval '1 minute'
      AND (stale.state_until IS NULL OR stale.state_until < now())
      AND stale.client_id <> wanted;
    RETURN NEXT;
END
$$;

CREATE FUNCTION releve_certificate_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('releve_revocation', 'device:' || OLD.device_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_certificate_removed AFTER DELETE OR UPDATE ON device_certificate
FOR EACH ROW EXECUTE FUNCTION releve_certificate_removed();
