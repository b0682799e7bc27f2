-- A client id is a name within its principal: every published car is called `ESP32ClientBis`, in whichever team.

ALTER TABLE device_link DROP CONSTRAINT device_link_pkey, ADD PRIMARY KEY (principal, client_id);

-- Take a client id for a new link. The link that had it is told, so that it goes, or forgets its will.
CREATE OR REPLACE FUNCTION releve_claim_client_id(
    wanted text, claimant text, device integer, new_link uuid, new_worker uuid, from_address text, is_clean boolean
) RETURNS TABLE (old_link uuid, old_state jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    held device_link%ROWTYPE;
BEGIN
    -- One claim of a principal at a time: it also looks at the principal's other client ids.
    PERFORM pg_advisory_xact_lock(hashtextextended('releve_claim_client_id ' || claimant, 0));
    SELECT * INTO held FROM device_link WHERE principal = claimant AND client_id = wanted FOR UPDATE;
    IF FOUND THEN
        old_link := held.link;
        PERFORM pg_notify('releve_revocation', 'link:' || held.link);
    END IF;
    IF held.state_until > now() AND NOT is_clean THEN
        old_state := held.state;
    END IF;
    INSERT INTO device_link (client_id, principal, device_id, link, worker, since, ended, address, state, state_until)
    VALUES (wanted, claimant, device, new_link, new_worker, now(), NULL, from_address, old_state,
            CASE WHEN old_state IS NULL THEN NULL ELSE held.state_until END)
    ON CONFLICT (principal, client_id) DO UPDATE SET
        device_id = excluded.device_id, link = excluded.link, worker = excluded.worker, since = excluded.since,
        ended = NULL, address = excluded.address, state = excluded.state, state_until = excluded.state_until;
    -- Of the client ids that a principal no longer uses only the newest is kept, so that random ones fill nothing;
    -- of those with a session only the newest 100.
    DELETE FROM device_link AS stale
    WHERE stale.principal = claimant AND stale.client_id <> wanted AND (
        stale.ended < now() - interval '1 minute' AND (stale.state_until IS NULL OR stale.state_until < now())
        OR stale.client_id IN (
            SELECT client_id FROM device_link
            WHERE principal = claimant AND ended IS NOT NULL
            ORDER BY ended DESC OFFSET 100
        )
    );
    RETURN NEXT;
END
$$;
