//! northwind postgres.
//!
//! Parent: none. Date: 2026-11-28.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of territories are lost.
        manager.drop_table(Table::drop().table(Territories::Table).to_owned()).await?;
        // The rows of order_details are lost.
        manager.drop_table(Table::drop().table(OrderDetails::Table).to_owned()).await?;
        // The rows of products are lost.
        manager.drop_table(Table::drop().table(Products::Table).to_owned()).await?;
        // The rows of suppliers are lost.
        manager.drop_table(Table::drop().table(Suppliers::Table).to_owned()).await?;
        // The rows of orders are lost.
        manager.drop_table(Table::drop().table(Orders::Table).to_owned()).await?;
        // The rows of shippers are lost.
        manager.drop_table(Table::drop().table(Shippers::Table).to_owned()).await?;
        // The rows of region are lost.
        manager.drop_table(Table::drop().table(Region::Table).to_owned()).await?;
        // The rows of employees are lost.
        manager.drop_table(Table::drop().table(Employees::Table).to_owned()).await?;
        // The rows of customer_customer_demo are lost.
        manager.drop_table(Table::drop().table(CustomerCustomerDemo::Table).to_owned()).await?;
        // The rows of customers are lost.
        manager.drop_table(Table::drop().table(Customers::Table).to_owned()).await?;
        // The rows of customer_demographics are lost.
        manager.drop_table(Table::drop().table(CustomerDemographics::Table).to_owned()).await?;
        // The rows of categories are lost.
        manager.drop_table(Table::drop().table(Categories::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(categories()).await?;
        manager.create_table(customer_demographics()).await?;
        manager.create_table(customers()).await?;
        manager.create_table(customer_customer_demo()).await?;
        manager.create_table(employees()).await?;
        manager.create_table(region()).await?;
        manager.create_table(shippers()).await?;
        manager.create_table(orders()).await?;
        manager.create_table(suppliers()).await?;
        manager.create_table(products()).await?;
        manager.create_table(order_details()).await?;
        manager.create_table(territories()).await?;
        Ok(())
    }
}

fn categories() -> TableCreateStatement {
    Table::create()
        .table(Categories::Table)
        .col(ColumnDef::new(Categories::CategoryId).small_integer().not_null())
        .col(ColumnDef::new(Categories::CategoryName).string_len(15).not_null())
        .col(ColumnDef::new(Categories::Description).text())
        .col(ColumnDef::new(Categories::Picture).blob())
        .primary_key(Index::create().name("categories_pkey").col(Categories::CategoryId))
        .to_owned()
}

fn customer_demographics() -> TableCreateStatement {
    Table::create()
        .table(CustomerDemographics::Table)
        .col(ColumnDef::new(CustomerDemographics::CustomerTypeId).string_len(5).not_null())
        .col(ColumnDef::new(CustomerDemographics::CustomerDesc).text())
        .primary_key(Index::create().name("customer_demographics_pkey").col(CustomerDemographics::CustomerTypeId))
        .to_owned()
}

fn customers() -> TableCreateStatement {
    Table::create()
        .table(Customers::Table)
        .col(ColumnDef::new(Customers::CustomerId).string_len(5).not_null())
        .col(ColumnDef::new(Customers::CompanyName).string_len(40).not_null())
        .col(ColumnDef::new(Customers::Country).string_len(15))
        .primary_key(Index::create().name("customers_pkey").col(Customers::CustomerId))
        .to_owned()
}

fn customer_customer_demo() -> TableCreateStatement {
    Table::create()
        .table(CustomerCustomerDemo::Table)
        .col(ColumnDef::new(CustomerCustomerDemo::CustomerId).string_len(5).not_null())
        .col(ColumnDef::new(CustomerCustomerDemo::CustomerTypeId).string_len(5).not_null())
        .primary_key(
            Index::create()
                .name("customer_customer_demo_pkey")
                .col(CustomerCustomerDemo::CustomerId)
                .col(CustomerCustomerDemo::CustomerTypeId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("customer_customer_demo_customer_id_fkey")
                .from(CustomerCustomerDemo::Table, CustomerCustomerDemo::CustomerId)
                .to(Customers::Table, Customers::CustomerId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("customer_customer_demo_customer_type_id_fkey")
                .from(CustomerCustomerDemo::Table, CustomerCustomerDemo::CustomerTypeId)
                .to(CustomerDemographics::Table, CustomerDemographics::CustomerTypeId),
        )
        .to_owned()
}

fn employees() -> TableCreateStatement {
    Table::create()
        .table(Employees::Table)
        .col(ColumnDef::new(Employees::EmployeeId).small_integer().not_null())
        .col(ColumnDef::new(Employees::LastName).string_len(20).not_null())
        .col(ColumnDef::new(Employees::BirthDate).date())
        .col(ColumnDef::new(Employees::HireDate).date())
        .col(ColumnDef::new(Employees::Photo).blob())
        .col(ColumnDef::new(Employees::Notes).text())
        .col(ColumnDef::new(Employees::ReportsTo).small_integer())
        .primary_key(Index::create().name("employees_pkey").col(Employees::EmployeeId))
        .foreign_key(
            ForeignKey::create()
                .name("employees_reports_to_fkey")
                .from(Employees::Table, Employees::ReportsTo)
                .to(Employees::Table, Employees::EmployeeId),
        )
        .to_owned()
}

fn region() -> TableCreateStatement {
    Table::create()
        .table(Region::Table)
        .col(ColumnDef::new(Region::RegionId).small_integer().not_null())
        .col(ColumnDef::new(Region::RegionDescription).string_len(60).not_null())
        .primary_key(Index::create().name("region_pkey").col(Region::RegionId))
        .to_owned()
}

fn shippers() -> TableCreateStatement {
    Table::create()
        .table(Shippers::Table)
        .col(ColumnDef::new(Shippers::ShipperId).small_integer().not_null())
        .col(ColumnDef::new(Shippers::CompanyName).string_len(40).not_null())
        .col(ColumnDef::new(Shippers::Phone).string_len(24))
        .primary_key(Index::create().name("shippers_pkey").col(Shippers::ShipperId))
        .to_owned()
}

fn orders() -> TableCreateStatement {
    Table::create()
        .table(Orders::Table)
        .col(ColumnDef::new(Orders::OrderId).small_integer().not_null())
        .col(ColumnDef::new(Orders::CustomerId).string_len(5))
        .col(ColumnDef::new(Orders::EmployeeId).small_integer())
        .col(ColumnDef::new(Orders::OrderDate).date())
        .col(ColumnDef::new(Orders::ShipVia).small_integer())
        .col(ColumnDef::new(Orders::Freight).float())
        .primary_key(Index::create().name("orders_pkey").col(Orders::OrderId))
        .foreign_key(
            ForeignKey::create()
                .name("orders_customer_id_fkey")
                .from(Orders::Table, Orders::CustomerId)
                .to(Customers::Table, Customers::CustomerId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("orders_employee_id_fkey")
                .from(Orders::Table, Orders::EmployeeId)
                .to(Employees::Table, Employees::EmployeeId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("orders_ship_via_fkey")
                .from(Orders::Table, Orders::ShipVia)
                .to(Shippers::Table, Shippers::ShipperId),
        )
        .to_owned()
}

fn suppliers() -> TableCreateStatement {
    Table::create()
        .table(Suppliers::Table)
        .col(ColumnDef::new(Suppliers::SupplierId).small_integer().not_null())
        .col(ColumnDef::new(Suppliers::CompanyName).string_len(40).not_null())
        .col(ColumnDef::new(Suppliers::Homepage).text())
        .primary_key(Index::create().name("suppliers_pkey").col(Suppliers::SupplierId))
        .to_owned()
}

fn products() -> TableCreateStatement {
    Table::create()
        .table(Products::Table)
        .col(ColumnDef::new(Products::ProductId).small_integer().not_null())
        .col(ColumnDef::new(Products::ProductName).string_len(40).not_null())
        .col(ColumnDef::new(Products::SupplierId).small_integer())
        .col(ColumnDef::new(Products::CategoryId).small_integer())
        .col(ColumnDef::new(Products::UnitPrice).float())
        .col(ColumnDef::new(Products::UnitsInStock).small_integer())
        .col(ColumnDef::new(Products::Discontinued).integer().not_null())
        .primary_key(Index::create().name("products_pkey").col(Products::ProductId))
        .foreign_key(
            ForeignKey::create()
                .name("products_category_id_fkey")
                .from(Products::Table, Products::CategoryId)
                .to(Categories::Table, Categories::CategoryId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("products_supplier_id_fkey")
                .from(Products::Table, Products::SupplierId)
                .to(Suppliers::Table, Suppliers::SupplierId),
        )
        .to_owned()
}

fn order_details() -> TableCreateStatement {
    Table::create()
        .table(OrderDetails::Table)
        .col(ColumnDef::new(OrderDetails::OrderId).small_integer().not_null())
        .col(ColumnDef::new(OrderDetails::ProductId).small_integer().not_null())
        .col(ColumnDef::new(OrderDetails::UnitPrice).float().not_null())
        .col(ColumnDef::new(OrderDetails::Quantity).small_integer().not_null())
        .col(ColumnDef::new(OrderDetails::Discount).float().not_null())
        .primary_key(Index::create().name("order_details_pkey").col(OrderDetails::OrderId).col(OrderDetails::ProductId))
        .foreign_key(
            ForeignKey::create()
                .name("order_details_order_id_fkey")
                .from(OrderDetails::Table, OrderDetails::OrderId)
                .to(Orders::Table, Orders::OrderId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("order_details_product_id_fkey")
                .from(OrderDetails::Table, OrderDetails::ProductId)
                .to(Products::Table, Products::ProductId),
        )
        .to_owned()
}

fn territories() -> TableCreateStatement {
    Table::create()
        .table(Territories::Table)
        .col(ColumnDef::new(Territories::TerritoryId).string_len(20).not_null())
        .col(ColumnDef::new(Territories::TerritoryDescription).string_len(60).not_null())
        .col(ColumnDef::new(Territories::RegionId).small_integer().not_null())
        .primary_key(Index::create().name("territories_pkey").col(Territories::TerritoryId))
        .foreign_key(
            ForeignKey::create()
                .name("territories_region_id_fkey")
                .from(Territories::Table, Territories::RegionId)
                .to(Region::Table, Region::RegionId),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Categories {
    Table,
    CategoryId,
    CategoryName,
    Description,
    Picture,
}

#[derive(DeriveIden)]
enum CustomerCustomerDemo {
    Table,
    CustomerId,
    CustomerTypeId,
}

#[derive(DeriveIden)]
enum CustomerDemographics {
    Table,
    CustomerDesc,
    CustomerTypeId,
}

#[derive(DeriveIden)]
enum Customers {
    Table,
    CompanyName,
    Country,
    CustomerId,
}

#[derive(DeriveIden)]
enum Employees {
    Table,
    BirthDate,
    EmployeeId,
    HireDate,
    LastName,
    Notes,
    Photo,
    ReportsTo,
}

#[derive(DeriveIden)]
enum OrderDetails {
    Table,
    Discount,
    OrderId,
    ProductId,
    Quantity,
    UnitPrice,
}

#[derive(DeriveIden)]
enum Orders {
    Table,
    CustomerId,
    EmployeeId,
    Freight,
    OrderDate,
    OrderId,
    ShipVia,
}

#[derive(DeriveIden)]
enum Products {
    Table,
    CategoryId,
    Discontinued,
    ProductId,
    ProductName,
    SupplierId,
    UnitPrice,
    UnitsInStock,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Region {
    Table,
    RegionDescription,
    RegionId,
}

#[derive(DeriveIden)]
enum Shippers {
    Table,
    CompanyName,
    Phone,
    ShipperId,
}

#[derive(DeriveIden)]
enum Suppliers {
    Table,
    CompanyName,
    Homepage,
    SupplierId,
}

#[derive(DeriveIden)]
enum Territories {
    Table,
    RegionId,
    TerritoryDescription,
    TerritoryId,
}
