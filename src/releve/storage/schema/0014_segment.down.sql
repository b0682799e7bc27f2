-- Readings that only the new tables hold would be lost: `releve history unseal` brings them back first.
DO $$
BEGIN
    IF EXISTS (SELECT FROM segment WHERE replaced IS NULL) OR EXISTS (SELECT FROM fresh_reading) THEN
        RAISE EXCEPTION 'readings are in segments or in fresh_reading; take them back with releve history unseal --into-reading first';
    END IF;
END
$$;
DROP TABLE ladder, segment_column, segment, fresh_reading;
