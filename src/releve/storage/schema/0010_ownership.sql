-- Whose a device was, and when: each team reads its own side of a move, and no run reaches beyond it.

CREATE TABLE device_ownership (
    device_id integer     NOT NULL,
    team_id   bigint      NOT NULL,
    since     timestamptz,          -- the first instant; null is ever
    until     timestamptz           -- the first instant after; null is still
);
CREATE UNIQUE INDEX device_ownership_now ON device_ownership (device_id) WHERE until IS NULL;
CREATE INDEX device_ownership_device ON device_ownership (device_id, team_id);

INSERT INTO device_ownership (device_id, team_id) SELECT id, team_id FROM fleet_device;

-- A device that was moved before this was kept: the runs of the team that had it end now, and nothing cuts them again.
UPDATE runs_run AS run
SET ended_at = greatest(run.started_at, least(run.ended_at, now())), rule_since = NULL, is_hand_cut = true
FROM fleet_device AS device
WHERE device.id = run.device_id AND device.team_id <> run.team_id;

-- The instants at which one of the teams owned a device. Every reader that may meet another team's readings asks this.
CREATE FUNCTION releve_owned(device integer, teams bigint[]) RETURNS tstzmultirange LANGUAGE sql STABLE AS $$
    SELECT coalesce(range_agg(tstzrange(since, until)), '{}') FROM device_ownership
    WHERE device_id = device AND team_id = ANY(teams)
$$;

CREATE FUNCTION releve_device_owned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    instant timestamptz := clock_timestamp();
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM device_ownership WHERE device_id = OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        DELETE FROM device_ownership WHERE device_id = NEW.id;
        INSERT INTO device_ownership (device_id, team_id) VALUES (NEW.id, NEW.team_id);
    ELSE
        UPDATE device_ownership SET until = instant WHERE device_id = NEW.id AND until IS NULL;
        INSERT INTO device_ownership (device_id, team_id, since) VALUES (NEW.id, NEW.team_id, instant);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER releve_device_owned AFTER INSERT OR DELETE ON fleet_device
FOR EACH ROW EXECUTE FUNCTION releve_device_owned();

CREATE TRIGGER releve_device_moved AFTER UPDATE OF team_id ON fleet_device
FOR EACH ROW WHEN (OLD.team_id IS DISTINCT FROM NEW.team_id) EXECUTE FUNCTION releve_device_owned();

-- A run holds readings of a time in which its team owned the device. Said as an overlap is, because that is what it is.
CREATE FUNCTION releve_run_owned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.device_id IS NULL OR NEW.deleted_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.team_id, NEW.device_id, NEW.started_at, NEW.ended_at, NEW.deleted_at)
        IS NOT DISTINCT FROM (OLD.team_id, OLD.device_id, OLD.started_at, OLD.ended_at, OLD.deleted_at) THEN
        RETURN NEW;
    END IF;
    IF NOT tstzrange(NEW.started_at, NEW.ended_at) <@ releve_owned(NEW.device_id, ARRAY[NEW.team_id]) THEN
        RAISE EXCEPTION 'the team does not own the device all the time of the run'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'runs_run_owned', HINT = 'runs_run_owned';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER releve_run_owned BEFORE INSERT OR UPDATE ON runs_run
FOR EACH ROW EXECUTE FUNCTION releve_run_owned();
