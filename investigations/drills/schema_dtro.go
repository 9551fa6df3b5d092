package drills

// The schema of the D-TRO service as its public migrations leave it: quoted
// names, attribute numbers with six dropped columns among them, few indexes.
const dtroTables = `
CREATE TABLE "__EFMigrationsHistory" (
  "MigrationId" varchar(150) NOT NULL, "ProductVersion" varchar(32) NOT NULL,
  CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY ("MigrationId"));
CREATE TABLE "Dtros" (
  "Id" uuid NOT NULL, "SchemaVersion" text NOT NULL,
  "Created" timestamptz, "LastUpdated" timestamptz,
  "CreatedCorrelationId" text, "LastUpdatedCorrelationId" text,
  "Deleted" boolean NOT NULL, "DeletionTime" timestamptz, "Data" jsonb NOT NULL,
  CONSTRAINT "PK_Dtros" PRIMARY KEY ("Id"));
CREATE TABLE "DtroHistories" (
  "Id" uuid NOT NULL, "SchemaVersion" text NOT NULL,
  "Created" timestamptz, "LastUpdated" timestamptz,
  "Deleted" boolean NOT NULL, "DeletionTime" timestamptz, "Data" jsonb NOT NULL,
  "CurrentTraOwner" integer NOT NULL DEFAULT 0, "TraCreator" integer NOT NULL DEFAULT 0,
  "DtroId" uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  CONSTRAINT "PK_DtroHistories" PRIMARY KEY ("Id"));
CREATE TABLE "Metrics" (
  "Id" uuid NOT NULL, "ForDate" date NOT NULL,
  "SystemFailureCount" integer NOT NULL, "SubmissionFailureCount" integer NOT NULL,
  "SubmissionCount" integer NOT NULL, "DeletionCount" integer NOT NULL,
  "SearchCount" integer NOT NULL, "EventCount" integer NOT NULL,
  "DtroUserId" uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  "UserGroup" integer NOT NULL DEFAULT 0,
  CONSTRAINT "PK_Metrics" PRIMARY KEY ("Id"));
CREATE TABLE "DtroUsers" (
  "Id" uuid NOT NULL, "AppId" uuid NOT NULL, "TraId" integer, "Name" text NOT NULL,
  "Prefix" varchar(20), "UserGroup" integer NOT NULL,
  CONSTRAINT "PK_DtroUsers" PRIMARY KEY ("Id"));
CREATE TABLE "SystemConfig" (
  "Id" uuid NOT NULL, "SystemName" varchar(100) NOT NULL, "IsTest" boolean NOT NULL DEFAULT false,
  CONSTRAINT "PK_SystemConfig" PRIMARY KEY ("Id"));`

const dtroRegistry = `
CREATE TABLE "ApplicationStatus" ("Id" uuid NOT NULL, "Status" text NOT NULL, CONSTRAINT "PK_ApplicationStatus" PRIMARY KEY ("Id"));
CREATE TABLE "ApplicationTypes" ("Id" uuid NOT NULL, "Name" text NOT NULL, CONSTRAINT "PK_ApplicationTypes" PRIMARY KEY ("Id"));
CREATE TABLE "ApplicationPurposes" ("Id" uuid NOT NULL, "Description" text NOT NULL, CONSTRAINT "PK_ApplicationPurposes" PRIMARY KEY ("Id"));
CREATE TABLE "UserStatuses" ("Id" uuid NOT NULL, "Status" text NOT NULL, CONSTRAINT "PK_UserStatuses" PRIMARY KEY ("Id"));
CREATE TABLE "DigitalServiceProvider" ("Id" uuid NOT NULL, "Name" text NOT NULL, CONSTRAINT "PK_DigitalServiceProvider" PRIMARY KEY ("Id"));
CREATE TABLE "TrafficRegulationAuthorities" (
  "Id" uuid NOT NULL, "Name" text NOT NULL, "Created" timestamptz NOT NULL, "LastUpdated" timestamptz,
  "Status" text, "SwaCode" integer NOT NULL DEFAULT 0, CONSTRAINT "PK_TrafficRegulationAuthorities" PRIMARY KEY ("Id"));
CREATE TABLE "Users" (
  "Id" uuid NOT NULL, "Created" timestamptz NOT NULL, "LastUpdated" timestamptz,
  "Forename" text, "Surname" text, "Email" text, "IsCentralServiceOperator" boolean NOT NULL,
  "UserStatusId" uuid NOT NULL, "DigitalServiceProviderId" uuid, "ProductionAccessRequested" boolean NOT NULL DEFAULT false,
  CONSTRAINT "PK_Users" PRIMARY KEY ("Id"),
  CONSTRAINT "FK_Users_UserStatuses_UserStatusId" FOREIGN KEY ("UserStatusId") REFERENCES "UserStatuses" ("Id") ON DELETE CASCADE,
  CONSTRAINT "FK_Users_DigitalServiceProvider_DigitalServiceProviderId" FOREIGN KEY ("DigitalServiceProviderId") REFERENCES "DigitalServiceProvider" ("Id"));
CREATE TABLE "Applications" (
  "Id" uuid NOT NULL, "Created" timestamptz NOT NULL, "LastUpdated" timestamptz,
  "Nickname" text, "Purpose" text, "Activity" text, "AdditionalInformation" text, "DataType" text, "Regions" text,
  "TrafficRegulationAuthorityId" uuid, "ApplicationTypeId" uuid NOT NULL, "StatusId" uuid NOT NULL, "UserId" uuid NOT NULL,
  CONSTRAINT "PK_Applications" PRIMARY KEY ("Id"),
  CONSTRAINT "FK_Applications_TrafficRegulationAuthorities_TrafficRegulation~" FOREIGN KEY ("TrafficRegulationAuthorityId") REFERENCES "TrafficRegulationAuthorities" ("Id") ON DELETE RESTRICT,
  CONSTRAINT "FK_Applications_ApplicationTypes_ApplicationTypeId" FOREIGN KEY ("ApplicationTypeId") REFERENCES "ApplicationTypes" ("Id") ON DELETE RESTRICT,
  CONSTRAINT "FK_Applications_ApplicationStatus_StatusId" FOREIGN KEY ("StatusId") REFERENCES "ApplicationStatus" ("Id") ON DELETE RESTRICT,
  CONSTRAINT "FK_Applications_Users_UserId" FOREIGN KEY ("UserId") REFERENCES "Users" ("Id") ON DELETE CASCADE);`

// dtroMigrations are the later ones: columns come and go, so that numbers 5, 6
// and 18 to 21 of "Dtros" stay behind as dropped.
const dtroMigrations = `
ALTER TABLE "Dtros" ADD "CurrentTraOwner" integer NOT NULL DEFAULT 0;
ALTER TABLE "Dtros" ADD "TroName" text;
ALTER TABLE "Dtros" ADD "OrderReportingPoints" text[];
ALTER TABLE "Dtros" ADD "RegulationTypes" text[];
ALTER TABLE "Dtros" ADD "VehicleTypes" text[];
ALTER TABLE "Dtros" ADD "Location" box NOT NULL DEFAULT '(0,0),(0,0)';
ALTER TABLE "Dtros" ADD "RegulationEnd" timestamptz;
ALTER TABLE "Dtros" ADD "RegulationStart" timestamptz;
ALTER TABLE "Dtros" ADD "ProvisionActionType" text[];
ALTER TABLE "Dtros" ADD "ProvisionReference" text[];
ALTER TABLE "Dtros" ADD "SourceActionType" text;
ALTER TABLE "Dtros" ADD "SourceReference" text;
ALTER TABLE "Dtros" ADD "TraCreator" integer NOT NULL DEFAULT 0;
ALTER TABLE "Dtros" ADD "RegulatedPlaceTypes" text[];
ALTER TABLE "Dtros" DROP "ProvisionActionType", DROP "ProvisionReference", DROP "SourceActionType", DROP "SourceReference";
ALTER TABLE "Dtros" ADD "ApplicationId" uuid;
CREATE INDEX "IX_Dtros_ApplicationId" ON "Dtros" ("ApplicationId");
ALTER TABLE "Dtros" ADD CONSTRAINT "FK_Dtros_Applications_ApplicationId" FOREIGN KEY ("ApplicationId") REFERENCES "Applications" ("Id");
ALTER TABLE "Dtros" DROP "CreatedCorrelationId", DROP "LastUpdatedCorrelationId";
INSERT INTO "__EFMigrationsHistory" VALUES
  ('20231122130322_Initial', '8.0.0'), ('20241016101545_AddMetrics', '8.0.0'),
  ('20250120094811_AddTraCreatorToDtro', '8.0.0'), ('20250227131210_AddUserManagement', '8.0.0'),
  ('20250315090117_RemoveCorrelationIds', '8.0.0'), ('20250405161716_AddRequestedProductionAccessColumn', '8.0.0'),
  ('20251027081532_ActivateSchema350', '8.0.0');
INSERT INTO "SystemConfig" VALUES (gen_random_uuid(), 'D-TRO Production', false);
INSERT INTO "ApplicationStatus" VALUES (gen_random_uuid(), 'Active'), (gen_random_uuid(), 'Pending'), (gen_random_uuid(), 'Inactive');
INSERT INTO "ApplicationTypes" VALUES (gen_random_uuid(), 'Publish'), (gen_random_uuid(), 'Consume');
INSERT INTO "ApplicationPurposes" VALUES (gen_random_uuid(), 'Publishing orders'), (gen_random_uuid(), 'Building a map');
INSERT INTO "UserStatuses" VALUES (gen_random_uuid(), 'Active'), (gen_random_uuid(), 'Pending');
INSERT INTO "DigitalServiceProvider" VALUES (gen_random_uuid(), 'Kerbside Systems'), (gen_random_uuid(), 'Orderbook Digital');`
