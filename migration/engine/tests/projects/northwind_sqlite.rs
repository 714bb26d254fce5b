//! northwind sqlite.
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
        // The rows of Order Details are lost.
        manager.drop_table(Table::drop().table(OrderDetails::Table).to_owned()).await?;
        // The rows of Products are lost.
        manager.drop_table(Table::drop().table(Products::Table).to_owned()).await?;
        // The rows of Suppliers are lost.
        manager.drop_table(Table::drop().table(Suppliers::Table).to_owned()).await?;
        // The rows of Orders are lost.
        manager.drop_table(Table::drop().table(Orders::Table).to_owned()).await?;
        // The rows of Shippers are lost.
        manager.drop_table(Table::drop().table(Shippers::Table).to_owned()).await?;
        // The rows of Employees are lost.
        manager.drop_table(Table::drop().table(Employees::Table).to_owned()).await?;
        // The rows of CustomerCustomerDemo are lost.
        manager.drop_table(Table::drop().table(CustomerCustomerDemo::Table).to_owned()).await?;
        // The rows of Customers are lost.
        manager.drop_table(Table::drop().table(Customers::Table).to_owned()).await?;
        // The rows of CustomerDemographics are lost.
        manager.drop_table(Table::drop().table(CustomerDemographics::Table).to_owned()).await?;
        // The rows of Categories are lost.
        manager.drop_table(Table::drop().table(Categories::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(categories()).await?;
        manager.create_table(customerdemographics()).await?;
        manager.create_table(customers()).await?;
        manager.create_table(customercustomerdemo()).await?;
        manager.create_table(employees()).await?;
        manager.create_table(shippers()).await?;
        manager.create_table(orders()).await?;
        manager.create_table(suppliers()).await?;
        manager.create_table(products()).await?;
        manager.create_table(order_details()).await?;
        Ok(())
    }
}

fn categories() -> TableCreateStatement {
    Table::create()
        .table(Categories::Table)
        .col(ColumnDef::new(Categories::CategoryId).integer().auto_increment().primary_key())
        .col(ColumnDef::new(Categories::CategoryName).text())
        .col(ColumnDef::new(Categories::Description).text())
        .col(ColumnDef::new(Categories::Picture).blob())
        .to_owned()
}

fn customerdemographics() -> TableCreateStatement {
    Table::create()
        .table(CustomerDemographics::Table)
        .col(ColumnDef::new(CustomerDemographics::CustomerTypeId).text().not_null())
        .col(ColumnDef::new(CustomerDemographics::CustomerDesc).text())
        .primary_key(Index::create().name("CustomerDemographics_pkey").col(CustomerDemographics::CustomerTypeId))
        .to_owned()
}

fn customers() -> TableCreateStatement {
    Table::create()
        .table(Customers::Table)
        .col(ColumnDef::new(Customers::CustomerId).text())
        .col(ColumnDef::new(Customers::CompanyName).text())
        .col(ColumnDef::new(Customers::Country).text())
        .primary_key(Index::create().name("Customers_pkey").col(Customers::CustomerId))
        .to_owned()
}

fn customercustomerdemo() -> TableCreateStatement {
    Table::create()
        .table(CustomerCustomerDemo::Table)
        .col(ColumnDef::new(CustomerCustomerDemo::CustomerId).text().not_null())
        .col(ColumnDef::new(CustomerCustomerDemo::CustomerTypeId).text().not_null())
        .primary_key(
            Index::create()
                .name("CustomerCustomerDemo_pkey")
                .col(CustomerCustomerDemo::CustomerId)
                .col(CustomerCustomerDemo::CustomerTypeId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("CustomerCustomerDemo_customerid_fkey")
                .from(CustomerCustomerDemo::Table, CustomerCustomerDemo::CustomerId)
                .to(Customers::Table, Customers::CustomerId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("CustomerCustomerDemo_customertypeid_fkey")
                .from(CustomerCustomerDemo::Table, CustomerCustomerDemo::CustomerTypeId)
                .to(CustomerDemographics::Table, CustomerDemographics::CustomerTypeId),
        )
        .to_owned()
}

fn employees() -> TableCreateStatement {
    Table::create()
        .table(Employees::Table)
        .col(ColumnDef::new(Employees::EmployeeId).integer().auto_increment().primary_key())
        .col(ColumnDef::new(Employees::LastName).text())
        .col(ColumnDef::new(Employees::BirthDate).custom("date"))
        .col(ColumnDef::new(Employees::HireDate).custom("date"))
        .col(ColumnDef::new(Employees::Photo).blob())
        .col(ColumnDef::new(Employees::ReportsTo).integer())
        .foreign_key(
            ForeignKey::create()
                .name("Employees_reportsto_fkey")
                .from(Employees::Table, Employees::ReportsTo)
                .to(Employees::Table, Employees::EmployeeId),
        )
        .to_owned()
}

fn shippers() -> TableCreateStatement {
    Table::create()
        .table(Shippers::Table)
        .col(ColumnDef::new(Shippers::ShipperId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Shippers::CompanyName).text().not_null())
        .col(ColumnDef::new(Shippers::Phone).text())
        .to_owned()
}

fn orders() -> TableCreateStatement {
    Table::create()
        .table(Orders::Table)
        .col(ColumnDef::new(Orders::OrderId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Orders::CustomerId).text())
        .col(ColumnDef::new(Orders::EmployeeId).integer())
        .col(ColumnDef::new(Orders::OrderDate).custom("datetime"))
        .col(ColumnDef::new(Orders::ShipVia).integer())
        .col(ColumnDef::new(Orders::Freight).custom("numeric").default(0))
        .foreign_key(
            ForeignKey::create()
                .name("Orders_customerid_fkey")
                .from(Orders::Table, Orders::CustomerId)
                .to(Customers::Table, Customers::CustomerId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Orders_employeeid_fkey")
                .from(Orders::Table, Orders::EmployeeId)
                .to(Employees::Table, Employees::EmployeeId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Orders_shipvia_fkey")
                .from(Orders::Table, Orders::ShipVia)
                .to(Shippers::Table, Shippers::ShipperId),
        )
        .to_owned()
}

fn suppliers() -> TableCreateStatement {
    Table::create()
        .table(Suppliers::Table)
        .col(ColumnDef::new(Suppliers::SupplierId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Suppliers::CompanyName).text().not_null())
        .col(ColumnDef::new(Suppliers::HomePage).text())
        .to_owned()
}

fn products() -> TableCreateStatement {
    Table::create()
        .table(Products::Table)
        .col(ColumnDef::new(Products::ProductId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Products::ProductName).text().not_null())
        .col(ColumnDef::new(Products::SupplierId).integer())
        .col(ColumnDef::new(Products::CategoryId).integer())
        .col(ColumnDef::new(Products::UnitPrice).custom("numeric").default(0))
        .col(ColumnDef::new(Products::UnitsInStock).integer().default(0))
        .col(ColumnDef::new(Products::Discontinued).text().not_null().default("0"))
        .foreign_key(
            ForeignKey::create()
                .name("Products_categoryid_fkey")
                .from(Products::Table, Products::CategoryId)
                .to(Categories::Table, Categories::CategoryId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Products_supplierid_fkey")
                .from(Products::Table, Products::SupplierId)
                .to(Suppliers::Table, Suppliers::SupplierId),
        )
        .check(Check::named("Products_UnitPrice_check", Expr::cust("[UnitPrice] >= 0")))
        .check(Check::named("Products_UnitsInStock_check", Expr::cust("[UnitsInStock] >= 0")))
        .to_owned()
}

fn order_details() -> TableCreateStatement {
    Table::create()
        .table(OrderDetails::Table)
        .col(ColumnDef::new(OrderDetails::OrderId).integer().not_null())
        .col(ColumnDef::new(OrderDetails::ProductId).integer().not_null())
        .col(ColumnDef::new(OrderDetails::UnitPrice).custom("numeric").not_null().default(0))
        .col(ColumnDef::new(OrderDetails::Quantity).integer().not_null().default(1))
        .col(ColumnDef::new(OrderDetails::Discount).custom("real").not_null().default(0))
        .primary_key(Index::create().name("Order Details_pkey").col(OrderDetails::OrderId).col(OrderDetails::ProductId))
        .foreign_key(
            ForeignKey::create()
                .name("Order Details_orderid_fkey")
                .from(OrderDetails::Table, OrderDetails::OrderId)
                .to(Orders::Table, Orders::OrderId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Order Details_productid_fkey")
                .from(OrderDetails::Table, OrderDetails::ProductId)
                .to(Products::Table, Products::ProductId),
        )
        .check(Check::named("Order Details_Discount_check", Expr::cust("[Discount] >= 0 AND [Discount] <= 1")))
        .check(Check::named("Order Details_Quantity_check", Expr::cust("[Quantity] > 0")))
        .to_owned()
}

#[derive(DeriveIden)]
enum Categories {
    #[sea_orm(iden = "Categories")]
    Table,
    #[sea_orm(iden = "CategoryID")]
    CategoryId,
    #[sea_orm(iden = "CategoryName")]
    CategoryName,
    #[sea_orm(iden = "Description")]
    Description,
    #[sea_orm(iden = "Picture")]
    Picture,
}

#[derive(DeriveIden)]
enum CustomerCustomerDemo {
    #[sea_orm(iden = "CustomerCustomerDemo")]
    Table,
    #[sea_orm(iden = "CustomerID")]
    CustomerId,
    #[sea_orm(iden = "CustomerTypeID")]
    CustomerTypeId,
}

#[derive(DeriveIden)]
enum CustomerDemographics {
    #[sea_orm(iden = "CustomerDemographics")]
    Table,
    #[sea_orm(iden = "CustomerDesc")]
    CustomerDesc,
    #[sea_orm(iden = "CustomerTypeID")]
    CustomerTypeId,
}

#[derive(DeriveIden)]
enum Customers {
    #[sea_orm(iden = "Customers")]
    Table,
    #[sea_orm(iden = "CompanyName")]
    CompanyName,
    #[sea_orm(iden = "Country")]
    Country,
    #[sea_orm(iden = "CustomerID")]
    CustomerId,
}

#[derive(DeriveIden)]
enum Employees {
    #[sea_orm(iden = "Employees")]
    Table,
    #[sea_orm(iden = "BirthDate")]
    BirthDate,
    #[sea_orm(iden = "EmployeeID")]
    EmployeeId,
    #[sea_orm(iden = "HireDate")]
    HireDate,
    #[sea_orm(iden = "LastName")]
    LastName,
    #[sea_orm(iden = "Photo")]
    Photo,
    #[sea_orm(iden = "ReportsTo")]
    ReportsTo,
}

#[derive(DeriveIden)]
enum OrderDetails {
    #[sea_orm(iden = "Order Details")]
    Table,
    #[sea_orm(iden = "Discount")]
    Discount,
    #[sea_orm(iden = "OrderID")]
    OrderId,
    #[sea_orm(iden = "ProductID")]
    ProductId,
    #[sea_orm(iden = "Quantity")]
    Quantity,
    #[sea_orm(iden = "UnitPrice")]
    UnitPrice,
}

#[derive(DeriveIden)]
enum Orders {
    #[sea_orm(iden = "Orders")]
    Table,
    #[sea_orm(iden = "CustomerID")]
    CustomerId,
    #[sea_orm(iden = "EmployeeID")]
    EmployeeId,
    #[sea_orm(iden = "Freight")]
    Freight,
    #[sea_orm(iden = "OrderDate")]
    OrderDate,
    #[sea_orm(iden = "OrderID")]
    OrderId,
    #[sea_orm(iden = "ShipVia")]
    ShipVia,
}

#[derive(DeriveIden)]
enum Products {
    #[sea_orm(iden = "Products")]
    Table,
    #[sea_orm(iden = "CategoryID")]
    CategoryId,
    #[sea_orm(iden = "Discontinued")]
    Discontinued,
    #[sea_orm(iden = "ProductID")]
    ProductId,
    #[sea_orm(iden = "ProductName")]
    ProductName,
    #[sea_orm(iden = "SupplierID")]
    SupplierId,
    #[sea_orm(iden = "UnitPrice")]
    UnitPrice,
    #[sea_orm(iden = "UnitsInStock")]
    UnitsInStock,
}

#[derive(DeriveIden)]
enum Shippers {
    #[sea_orm(iden = "Shippers")]
    Table,
    #[sea_orm(iden = "CompanyName")]
    CompanyName,
    #[sea_orm(iden = "Phone")]
    Phone,
    #[sea_orm(iden = "ShipperID")]
    ShipperId,
}

#[derive(DeriveIden)]
enum Suppliers {
    #[sea_orm(iden = "Suppliers")]
    Table,
    #[sea_orm(iden = "CompanyName")]
    CompanyName,
    #[sea_orm(iden = "HomePage")]
    HomePage,
    #[sea_orm(iden = "SupplierID")]
    SupplierId,
}
