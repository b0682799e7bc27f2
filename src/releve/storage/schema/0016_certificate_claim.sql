-- A client certificate becomes a device's once two sides said so: its holder, who connected with it and named the device by
-- its claim code, and an editor of the device's team. Whichever comes first waits here; `device_certificate` has what holds.

CREATE TABLE certificate_claim (
    fingerprint text        NOT NULL, -- SHA-256 of the certificate, 64 hexadecimal digits
    device_id   integer     NOT NULL, -- 0: its holder named no device
    subject     text        NOT NULL DEFAULT '',
    address     text        NOT NULL DEFAULT '',
    since       timestamptz NOT NULL DEFAULT now(),
    shown       timestamptz,          -- when its holder last named the device; null: never
    accepted_by text,                 -- the editor who named the fingerprint; null: nobody yet
    PRIMARY KEY (fingerprint, device_id)
);
CREATE INDEX certificate_claim_device ON certificate_claim (device_id, shown);

-- Make a certificate the device's; the one that had it before is told in its team's audit, and its links end.
CREATE FUNCTION releve_bind_certificate(of_certificate text, to_device integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_auditevent (time, kind, is_alert, device_id, team_id, address, user_agent, detail)
    SELECT now(), 'certificate-removed', true, device.id, device.team_id, '', '',
           jsonb_build_object('fingerprint', of_certificate, 'reason', 'its holder named another device')
    FROM device_certificate AS held JOIN fleet_device AS device ON device.id = held.device_id
    WHERE held.fingerprint = of_certificate AND held.device_id <> to_device;
    INSERT INTO device_certificate (fingerprint, device_id) VALUES (of_certificate, to_device)
    ON CONFLICT (fingerprint) DO UPDATE SET device_id = excluded.device_id, added = clock_timestamp();
    DELETE FROM certificate_claim
    WHERE fingerprint = of_certificate AND (device_id = to_device OR accepted_by IS NULL);
END
$$;

-- A client connected with a certificate and named a device (0: none). 'held': it is the device's; 'bound': it became so
-- just now; 'new' and 'known': it waits for an editor, and has not or has been seen within the last minutes.
CREATE FUNCTION releve_show_certificate(shown_certificate text, named integer, of_subject text, from_address text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('releve certificate ' || shown_certificate, 0));
    IF EXISTS (SELECT FROM device_certificate WHERE fingerprint = shown_certificate AND device_id = named) THEN
        RETURN 'held';
    END IF;
    IF EXISTS (
        SELECT FROM certificate_claim
        WHERE fingerprint = shown_certificate AND device_id = named AND accepted_by IS NOT NULL
    ) THEN
        PERFORM releve_bind_certificate(shown_certificate, named);
        RETURN 'bound';
    END IF;
    SELECT shown INTO before FROM certificate_claim WHERE fingerprint = shown_certificate AND device_id = named;
    -- Its holder's latest word counts.
    DELETE FROM certificate_claim
    WHERE fingerprint = shown_certificate AND device_id <> named AND accepted_by IS NULL;
    INSERT INTO certificate_claim AS claim (fingerprint, device_id, subject, address, shown)
    VALUES (shown_certificate, named, of_subject, from_address, now())
    ON CONFLICT (fingerprint, device_id) DO UPDATE SET
        subject = excluded.subject, address = excluded.address, shown = excluded.shown;
    -- Of what waits for an editor the newest is kept: 16 of a device, 100 that named none.
    DELETE FROM certificate_claim WHERE device_id = named AND accepted_by IS NULL AND fingerprint IN (
        SELECT fingerprint FROM certificate_claim WHERE device_id = named AND accepted_by IS NULL
        ORDER BY shown DESC, fingerprint OFFSET CASE WHEN named = 0 THEN 100 ELSE 16 END
    );
    RETURN CASE WHEN before > now() - interval '5 minutes' THEN 'known' ELSE 'new' END;
END
$$;

-- An editor accepts a certificate for a device. 'held': it is the device's already; 'bound': its holder named the device
-- within a week, so that it is now; 'accepted': it will be as soon as its holder does; 'full': the device has 32.
CREATE FUNCTION releve_accept_certificate(of_certificate text, for_device integer, editor text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('releve certificates of ' || for_device, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('releve certificate ' || of_certificate, 0));
    IF EXISTS (SELECT FROM device_certificate WHERE fingerprint = of_certificate AND device_id = for_device) THEN
        RETURN 'held';
    END IF;
    IF 32 <= (SELECT count(*) FROM device_certificate WHERE device_id = for_device)
           + (SELECT count(*) FROM certificate_claim
              WHERE device_id = for_device AND accepted_by IS NOT NULL AND fingerprint <> of_certificate) THEN
        RETURN 'full';
    END IF;
    IF EXISTS (
        SELECT FROM certificate_claim
        WHERE fingerprint = of_certificate AND device_id = for_device AND shown > now() - interval '7 days'
    ) THEN
        PERFORM releve_bind_certificate(of_certificate, for_device);
        RETURN 'bound';
    END IF;
    INSERT INTO certificate_claim (fingerprint, device_id, accepted_by) VALUES (of_certificate, for_device, editor)
    ON CONFLICT (fingerprint, device_id) DO UPDATE SET accepted_by = excluded.accepted_by;
    RETURN 'accepted';
END
$$;
