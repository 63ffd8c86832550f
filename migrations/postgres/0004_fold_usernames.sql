-- 'ẞ' now folds to 'ss', as 'ß' does. Of two users whose names become the same, only one can get the new key.
UPDATE "users" SET "username_key" = replace("username_key", 'ß', 'ss') WHERE "username_key" LIKE '%ß%' AND NOT EXISTS (
  SELECT 1 FROM "users" AS "other" WHERE "other"."username_key" = replace("users"."username_key", 'ß', 'ss')
    OR ("other"."username_key" LIKE '%ß%' AND "other"."pk" < "users"."pk"
      AND replace("other"."username_key", 'ß', 'ss') = replace("users"."username_key", 'ß', 'ss'))
);
