NOT EXISTS (
    SELECT FROM unnest(
        %(x_since)s::timestamptz[], %(x_until)s::timestamptz[], %(x_reading)s::bigint[],
        %(x_name)s::text[], %(x_number)s::jsonb[], %(x_text)s::jsonb[]
    ) AS x (since, until, reading, name, number, text)
    WHERE r.time >= x.since AND r.time < x.until AND (x.reading IS NULL OR r.id = x.reading)
      AND (x.name = '' OR r.channels -> x.name = x.number OR r.channels -> x.name = x.text)
)
