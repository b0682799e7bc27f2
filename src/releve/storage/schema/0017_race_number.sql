-- A race that a car named without announcing it is found by its number as well as by its id. No later race gets that
-- number for its id: it would be shown in the other's place from that day on.

CREATE INDEX runs_run_race_part ON runs_run (part) WHERE kind = 'race' AND part <> '';

CREATE FUNCTION releve_race_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WHILE EXISTS (SELECT FROM runs_run WHERE kind = 'race' AND part <> '' AND part = 'race=' || NEW.id) LOOP
        NEW.id := nextval(pg_get_serial_sequence('runs_run', 'id'));
    END LOOP;
    RETURN NEW;
END
$$;

CREATE TRIGGER releve_race_number BEFORE INSERT ON runs_run
FOR EACH ROW WHEN (NEW.kind = 'race') EXECUTE FUNCTION releve_race_number();
