UNION ALL
        SELECT 'acceleration_total', to_jsonb(sqrt(x * x + y * y + z * z))
        FROM (
            SELECT (channels -> 'acceleration_x')::double precision AS x,
                   (channels -> 'acceleration_y')::double precision AS y,
                   (channels -> 'acceleration_z')::double precision AS z
            WHERE jsonb_typeof(channels -> 'acceleration_x') = 'number'
              AND jsonb_typeof(channels -> 'acceleration_y') = 'number'
              AND jsonb_typeof(channels -> 'acceleration_z') = 'number'
              AND NOT channels ? 'acceleration_total'
            OFFSET 0
        ) AS axes
        WHERE abs(x) < 1e150 AND abs(y) < 1e150 AND abs(z) < 1e150
