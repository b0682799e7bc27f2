INSERT INTO accounts_auditevent (time, kind, is_alert, address, user_agent, detail)
VALUES (now(), 'restored', true, '', '', %(detail)s)
