-- Back to one name for the whole installation: of several links with one client id the newest keeps it.
DELETE FROM device_link AS older USING device_link AS newer
WHERE older.client_id = newer.client_id AND (older.since, older.principal) < (newer.since, newer.principal);
ALTER TABLE device_link DROP CONSTRAINT device_link_pkey, ADD PRIMARY KEY (client_id);

CREATE OR REPLACE FUNCTION releve_claim_client_id(
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
