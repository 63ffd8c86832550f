CREATE TABLE "user_pk_counter" (
	"name" text PRIMARY KEY NOT NULL,
	"last" bigint NOT NULL
);
